"""Long work of staff: started by a button, done by a worker, with progress, and a file or a summary at the end."""
