"""Metadata in and out: what every CRM's import, export and wrapper shares.

Plugins turn the files of their CRM into ``ObjectFile`` and ``TemplateFile`` and back; here these become the files of a workspace.
Nothing is evaluated, nothing is overwritten unasked, and either everything is written or nothing.
"""
