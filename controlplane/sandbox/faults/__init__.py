"""What can go wrong at AWS, as rules: the words, who is in force, the dice. No HTTP, no moto."""
