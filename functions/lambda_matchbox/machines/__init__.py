"""What the server knows of machines: identities, policies, state, tokens, and the gate that decides."""
