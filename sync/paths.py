"""Where a server is asked for what: known to both ends, neither of which imports the
other.
"""

BUNDLES_PATH = "/v1/bundles"
JOIN_PATH = "/v1/join"
HEALTH_PATH = "/healthz"
