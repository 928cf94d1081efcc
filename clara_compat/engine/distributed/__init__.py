"""One run on several processes: they find each other, share the work, and end together."""
