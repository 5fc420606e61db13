"""Between the turns and the edges: figures across the subjects and the turns; nothing is stored here but counts."""
