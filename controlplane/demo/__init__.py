"""The demo: a good release goes to prod, a bad one comes back; every claim is checked, none is assumed."""
