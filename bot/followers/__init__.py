"""Floor 3: followers, their profiles and consents."""
