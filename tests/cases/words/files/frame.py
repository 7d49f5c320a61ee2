"""Each argument as a message of the Language Server Protocol: `frame.py JSON… | pdpctl lsp`."""
import sys

for text in sys.argv[1:]:
    sys.stdout.write(f"Content-Length: {len(text.encode())}\r\n\r\n{text}")
