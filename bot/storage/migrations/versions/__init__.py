"""The steps of the schema, in order. A step that has been released is never changed."""
