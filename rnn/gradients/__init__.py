"""Where the gradient of a loss comes from and how far back it reaches: backpropagation through time, looked into.

`steps` runs the readable cells of `rnn.cells` step by step under autograd, so that every h_t is a tensor of its own
that can be asked for its gradient. `reach` goes back by hand, for all losses side by side, without torch.
"""
