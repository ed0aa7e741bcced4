"""The forward process that masks, and the losses of which the zero-loss denoiser is the minimum."""

from theory.loss import alpha_loss, forward

__all__ = ["alpha_loss", "forward"]
