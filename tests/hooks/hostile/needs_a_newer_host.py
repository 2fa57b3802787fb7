requires_host = ">=9"
