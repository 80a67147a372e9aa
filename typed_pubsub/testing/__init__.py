"""What tests of a service, and of this library, are made with."""
