"""The composition: each process builds its parts from the settings here, and nowhere else."""
