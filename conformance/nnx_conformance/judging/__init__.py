"""One candidate under one contract: drawing, judging, shrinking, confirming, verdict."""
