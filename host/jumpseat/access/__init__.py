"""The access room: who may do what, decided from permission sets and nothing else."""
