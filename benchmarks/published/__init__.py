"""Published samplers on trial: their own code, with the zero-loss denoiser as the model."""
