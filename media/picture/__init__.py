"""Still pictures: painted over by the same masks, stripped, and looked at again."""
