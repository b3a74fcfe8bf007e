"""Inference over the fabric: gateways send requests to replicas, which answer them token by token."""
