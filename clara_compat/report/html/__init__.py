"""Reports as HTML pages of one file each: no script, no request, readable on a telephone, in the dark and on paper."""
