"""From an agency's system to SIPs: what ``tangthu pack`` and its page do. Needs no archive."""
