"""The review list: messages that were understood badly, relabelled by people and learnt from."""
