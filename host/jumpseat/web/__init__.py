"""The pages: components for records inside a CRM, workspace pages, administration. Rules and tables are below; here is what people see."""
