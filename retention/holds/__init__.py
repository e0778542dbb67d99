"""What suspends disposal: legal, regulator, request, incident."""
