"""Runs that outlive a page: kept in a store, advanced in turns by a scheduler, on the server's one torch thread."""
