"""The forward (masking) process, the exact loss of a denoiser, and the sequence alpha-loss."""

from theory.loss import alpha_loss, forward

__all__ = ["alpha_loss", "forward"]
