requires_host = "nine"
