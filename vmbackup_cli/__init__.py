"""The command line: `vmbackup …`. Top level, never deployed; it may know everything below it."""
