"""Supported objects and e-mail templates as files of the Metadata API: read into a workspace, and written from one."""
