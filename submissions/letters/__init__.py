"""The letters by which an employer tells each worker, once a year, what remains of his right to training."""
