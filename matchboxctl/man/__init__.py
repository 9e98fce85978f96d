"""`matchboxctl man`: the page of the manual."""
