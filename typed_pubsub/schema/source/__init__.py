"""What generated code is made of: from the keywords of a schema to the source of classes."""
