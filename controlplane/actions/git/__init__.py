"""Git hosts: how each is asked, how its webhooks are signed and read, and the source made of them."""
