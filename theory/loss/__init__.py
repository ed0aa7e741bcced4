"""The forward process that masks, and the losses that the zero-loss denoiser minimises."""

from theory.loss import alpha_loss, forward

__all__ = ["alpha_loss", "forward"]
