"""What people ask about recordings of themselves: from receipt to answer."""
