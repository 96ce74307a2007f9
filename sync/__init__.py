"""Two copies agree: documents, streams, bundles, HTTP. Knows no case."""
