"""What tests of several packages need: servers, and later other stand-ins for the world outside."""
