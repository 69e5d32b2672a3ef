"""Chat histories of other programs: synthetic exports of each format, and the conversations that they become."""
