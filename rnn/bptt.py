"""Backpropagation through time by hand: each cell over a whole sequence, forward and backward, in torch operators.

All three classes have one plan. What a step takes in from below is known for all steps beforehand:

    a_t = W_xh x_t + b, one row of gates * H numbers per sequence

so forward has one matrix product left per step, W_hh h_{t-1}, which is added to a_t. Backward, everything that does not
depend on the gradient (slopes of the squashing functions, gates, states) is multiplied together for all steps at once,
into `slope`; a step then needs one product with `slope_t`, which gives the gradient of the sums, and one with W_hh,
which carries it to the step before. The gradient of W_hh, a sum over all steps and sequences, is one matrix product at
the end: the shared weight of the unrolled network, its copies' gradients added.

    dL/dW_hh = sum_t (dL/ds_t) h_{t-1}^T, with s_t the sums a_t + W_hh h_{t-1}

Shapes: a (T, B, gates * H); states (B, H); W_hh (gates * H, H); outputs h (T, B, H). Gradients flow to all of them.
All of it is in the format of `a`.

Sources: Werbos 1990, "Backpropagation through time: what it does and how to do it"; cs231n lecture 10. The equations of
the cells are those of `rnn.cells`, and torch's autograd and torch.nn are the judges (tests/unit/test_bptt.py).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

WIDENED = 8  # steps whose gradients are turned into float32 at a time


def sequence(
    cell: str,
    a: Tensor,
    state: tuple[Tensor, ...],
    W_hh: Tensor,
    b_hn: Tensor | None = None,
    nonlinearity: str = "tanh",
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """A cell over a whole sequence.

    Args:
        cell: "rnn", "gru" or "lstm".
        a: what each step takes in from below, biases included, (T, B, gates * H).
        state: (h,) or (h, c) before the first step, each (B, H).
        W_hh: (gates * H, H).
        b_hn: the GRU's bias (H,) inside the bracket of its candidate; None means zeros.
        nonlinearity: the rnn's.

    Returns:
        h at every step, (T, B, H), and the state after the last one.
    """
    if cell == "lstm":
        outputs, c = LstmSequence.apply(a, *state, W_hh)  # type: ignore[no-untyped-call]
        return outputs, (outputs[-1], c)
    if cell == "gru":
        outputs = GruSequence.apply(a, *state, W_hh, b_hn)  # type: ignore[no-untyped-call]
    else:
        outputs = RnnSequence.apply(a, *state, W_hh, nonlinearity)  # type: ignore[no-untyped-call]
    return outputs, (outputs[-1],)


def rows(table: Tensor, indices: Tensor) -> Tensor:
    """table[indices], (V, I) and integers (T, B) -> (T, B, I): what a matrix makes of one-hot vectors."""
    picked: Tensor = Rows.apply(table, indices)  # type: ignore[no-untyped-call]
    return picked


def through_outputs(d_outputs: Tensor) -> list[Tensor]:
    """What reaches each state through its own output: nothing the initial one, which has none."""
    return [torch.zeros_like(d_outputs[0]), *d_outputs.unbind()]


def transposed(W: Tensor) -> Tensor:
    """W^T, its rows one behind the other: a product reads them 1.3 times faster than through a view."""
    return W.t().contiguous()


def one_minus_square(x: Tensor) -> Tensor:
    """1 - x^2, the slope of tanh where it is x, in one pass."""
    return torch.addcmul(x.new_ones(()), x, x, value=-1)


def outer(d: Tensor, h: Tensor) -> Tensor:
    """sum_t d_t^T h_t over all steps and sequences, in one product: (T, B, G), (T, B, H) -> (G, H)."""
    return d.flatten(0, 1).t() @ h.flatten(0, 1)


class RnnSequence(Function):
    """s_t = a_t + W_hh h_{t-1};  h_t = phi(s_t), with phi one of tanh, relu, sigmoid.

    Backward, with the slope phi'(s_t), which all three have as a function of h_t:

        dL/ds_t = dL/dh_t * phi'(s_t)
        dL/dh_{t-1} = (dL/dh_{t-1} through its own output) + W_hh^T dL/ds_t
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, h_0: Tensor, W_hh: Tensor, nonlinearity: str) -> Tensor:
        T, B, H = a.shape
        states = a.new_empty(T + 1, B, H)
        states[0] = h_0
        squash_ = {"tanh": Tensor.tanh_, "relu": Tensor.relu_, "sigmoid": Tensor.sigmoid_}[nonlinearity]
        W = transposed(W_hh)
        h, *later = states.unbind()
        for a_t, h_t in zip(a.unbind(), later, strict=True):
            squash_(torch.addmm(a_t, h, W, out=h_t))
            h = h_t
        ctx.save_for_backward(states, W_hh)
        ctx.nonlinearity = nonlinearity
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        states, W_hh = ctx.saved_tensors
        T = len(d_outputs)
        ds = torch.empty_like(d_outputs)
        ds_steps, arriving = ds.unbind(), through_outputs(d_outputs)
        dh = arriving[T].clone()
        slope = RnnSequence.slope(states[1:], ctx.nonlinearity).unbind()
        for t in reversed(range(T)):
            torch.mul(dh, slope[t], out=ds_steps[t])
            torch.addmm(arriving[t], ds_steps[t], W_hh, out=dh)
        return ds, dh, outer(ds, states[:-1]), None

    @staticmethod
    def slope(h: Tensor, nonlinearity: str) -> Tensor:
        """phi'(s) from h = phi(s)."""
        if nonlinearity == "tanh":
            return one_minus_square(h)
        return h * (1 - h) if nonlinearity == "sigmoid" else (h > 0).to(h.dtype)


class GruSequence(Function):
    """u_t = W_hh h_{t-1};  q = u_t + b_hn;  r, z = sigmoid(a_t + u_t);  n = tanh(a_t + r q);  h_t = n + z (h_{t-1} - n)

    each gate with its own third of a_t and u_t. The biases of r and z stand in a_t. Backward, from dh = dL/dh_t, the
    gradients of the three sums (the arguments of sigmoid and tanh) are dh times

        n:  (1 - z) (1 - n^2)            r:  that * q * r (1 - r)            z:  (h_{t-1} - n) z (1 - z)

    and n's gradient reaches q times r. To the step before flow z * dh and W_hh^T times the gradient of u.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, h_0: Tensor, W_hh: Tensor, b_hn: Tensor | None) -> Tensor:
        T, B, H = a.shape[0], *h_0.shape
        states, n = a.new_empty(T + 1, B, H), a.new_empty(T, B, H)
        states[0] = h_0
        gates = a.clone()  # will be r, z and, where the candidate's part was, q
        gates[..., 2 * H :] = 0 if b_hn is None else b_hn
        r, z, q = gates.chunk(3, dim=-1)
        W = transposed(W_hh)
        h, *later = states.unbind()
        parts = (part.unbind() for part in (gates, gates[..., : 2 * H], r, z, q, a[..., 2 * H :], n))
        for gates_t, rz_t, r_t, z_t, q_t, a_t, n_t, h_t in zip(*parts, later, strict=True):
            gates_t.addmm_(h, W)
            rz_t.sigmoid_()
            torch.addcmul(a_t, r_t, q_t, out=n_t).tanh_()
            torch.lerp(n_t, h, z_t, out=h_t)
            h = h_t
        ctx.save_for_backward(states, gates, n, W_hh)
        ctx.has_bias = b_hn is not None
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        states, gates, n, W_hh = ctx.saved_tensors
        T, B, H = d_outputs.shape
        du, dn = gates.new_empty(T, B, 3, H), torch.empty_like(n)  # dn: of the candidate's sum
        du_steps, du_rows, arriving = du.unbind(), du.view(T, B, 3 * H).unbind(), through_outputs(d_outputs)
        dh = arriving[T].clone()
        r, z, q = gates.chunk(3, dim=-1)
        to_n = (1 - z) * one_minus_square(n)
        slope = torch.empty_like(du)
        torch.mul(to_n, q * r * (1 - r), out=slope[:, :, 0])
        torch.mul(states[:-1] - n, z * (1 - z), out=slope[:, :, 1])
        torch.mul(to_n, r, out=slope[:, :, 2])
        steps = [*zip(*(part.unbind() for part in (slope, to_n, z, dn)), strict=True)]
        for t, (slope_t, to_n_t, z_t, dn_t) in reversed([*enumerate(steps)]):
            torch.mul(dh.unsqueeze(1), slope_t, out=du_steps[t])
            torch.mul(dh, to_n_t, out=dn_t)
            torch.addcmul(arriving[t], dh, z_t, out=dh)
            dh.addmm_(du_rows[t], W_hh)
        dW_hh = outer(du.flatten(2), states[:-1])
        db_hn = du[:, :, 2].sum(dim=(0, 1)) if ctx.has_bias else None
        du[:, :, 2] = dn  # r and z have one gradient on both sides of their sums; the candidate has two
        return du.flatten(2), dh, dW_hh, db_hn


class LstmSequence(Function):
    """s_t = a_t + W_hh h_{t-1};  i, f, o = sigmoid(s_t);  g = tanh(s_t);  c_t = f c_{t-1} + i g;  h_t = o tanh(c_t)

    each gate with its own quarter of the sums. Backward, the cell state has a path of its own:

        dL/dc_t = dL/dh_t * o (1 - tanh(c_t)^2) + f_{t+1} * dL/dc_{t+1}

    The gradient of o's sum is dL/dh_t times tanh(c_t) o (1 - o); those of the others are dL/dc_t times

        i:  g i (1 - i)            f:  c_{t-1} f (1 - f)            g:  i (1 - g^2)
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, h_0: Tensor, c_0: Tensor, W_hh: Tensor) -> tuple[Tensor, Tensor]:
        T, B, H = a.shape[0], *h_0.shape
        states, cells, tanh_c = a.new_empty(T + 1, B, H), a.new_empty(T + 1, B, H), a.new_empty(T, B, H)
        states[0], cells[0] = h_0, c_0
        gates = torch.empty_like(a)
        i, f, g, o = gates.chunk(4, dim=-1)
        W = transposed(W_hh)
        h, *later_h = states.unbind()
        c, *later_c = cells.unbind()
        parts = (part.unbind() for part in (a, gates, gates[..., : 2 * H], i, f, g, o, tanh_c))
        for a_t, gates_t, if_t, i_t, f_t, g_t, o_t, tanh_t, h_t, c_t in zip(*parts, later_h, later_c, strict=True):
            torch.addmm(a_t, h, W, out=gates_t)
            if_t.sigmoid_()
            g_t.tanh_()
            o_t.sigmoid_()
            torch.mul(f_t, c, out=c_t).addcmul_(i_t, g_t)
            torch.mul(o_t, torch.tanh(c_t, out=tanh_t), out=h_t)
            h, c = h_t, c_t
        ctx.save_for_backward(states, cells, tanh_c, gates, W_hh)
        return states[1:], c.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor) -> tuple[Tensor | None, ...]:
        states, cells, tanh_c, gates, W_hh = ctx.saved_tensors
        T, B, H = d_outputs.shape
        ds = gates.new_empty(T, B, 4, H)
        ifg_steps, o_steps, ds_rows = ds[:, :, :3].unbind(), ds[:, :, 3].unbind(), ds.view(T, B, 4 * H).unbind()
        arriving = through_outputs(d_outputs)
        dh, dc = arriving[T].clone(), d_last.clone()
        i, f, g, o = gates.chunk(4, dim=-1)
        to_o, to_c = tanh_c * o * (1 - o), o * one_minus_square(tanh_c)
        slope = gates.new_empty(T, B, 3, H)
        torch.mul(g, i * (1 - i), out=slope[:, :, 0])
        torch.mul(cells[:-1], f * (1 - f), out=slope[:, :, 1])
        torch.mul(i, one_minus_square(g), out=slope[:, :, 2])
        steps = [*zip(*(part.unbind() for part in (slope, to_o, to_c, f)), strict=True)]
        for t, (slope_t, to_o_t, to_c_t, f_t) in reversed([*enumerate(steps)]):
            dc.addcmul_(dh, to_c_t)
            torch.mul(dc.unsqueeze(1), slope_t, out=ifg_steps[t])
            torch.mul(dh, to_o_t, out=o_steps[t])
            dc.mul_(f_t)
            torch.addmm(arriving[t], ds_rows[t], W_hh, out=dh)
        return ds.flatten(2), dh, dc, outer(ds.flatten(2), states[:-1])


class Rows(Function):
    """table[indices]: a matrix times one-hot columns without the multiplications.

    Backward, the gradients of all places that read a row are added up, in float32 at least: a sum of hundreds of
    terms would lose most of bfloat16's eight digits.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, indices: Tensor) -> Tensor:
        indices = indices.long()
        ctx.save_for_backward(indices)
        ctx.shape, ctx.dtype = table.shape, table.dtype
        return table.index_select(0, indices.flatten()).view(*indices.shape, table.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_rows: Tensor) -> tuple[Tensor | None, ...]:
        (indices,) = ctx.saved_tensors
        total = torch.zeros(ctx.shape, dtype=torch.promote_types(ctx.dtype, torch.float32), device=d_rows.device)
        # Some steps at a time: all of them widened at once would be new memory, slower to get than to add up.
        for some, d_some in zip(torch.split(indices, WIDENED), torch.split(d_rows, WIDENED), strict=True):
            total.index_add_(0, some.flatten(), d_some.flatten(0, -2).to(total.dtype))
        return total.to(ctx.dtype), None
