"""What was promised, as text that lawyers and operations staff read. No code."""
