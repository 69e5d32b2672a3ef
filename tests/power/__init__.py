"""Power cuts: every state of the disk that one may leave opens again with all that was answered."""
