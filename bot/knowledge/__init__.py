"""Floor 3: questions and answers that staff edit."""
