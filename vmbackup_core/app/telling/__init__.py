"""Mails: looks for trouble, the incident book, and letters that leave once."""
