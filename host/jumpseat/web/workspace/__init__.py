"""Pages of the workspace: the start page, company report, devices, dashboards."""
