"""Measurements that print ratios and counts; nothing here is a test."""
