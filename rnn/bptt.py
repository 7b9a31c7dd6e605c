"""Backpropagation through time by hand: each cell over a whole sequence, forward and backward, in torch operators.

All three classes have one plan. What a step takes in from below is known for all steps beforehand:

    a_t = W_xh x_t + b, one row of gates * H numbers per sequence

so forward has one matrix product left per step, h_{t-1} W_hh^T, added to a_t in place. Backward, everything that
does not depend on the gradient (the slopes of the squashing functions, the gates, the states) is multiplied together
for all steps at once, into `slope`; a step then needs one product with `slope_t`, which gives the gradient of the sums,
and one with W_hh, which carries it to the step before. The gradient of W_hh, a sum over all steps and sequences, is
one matrix product at the end: the shared weight of the unrolled network, its copies' gradients added.

    dL/dW_hh = sum_t (dL/da_t)^T h_{t-1}

Shapes: a (T, B, gates * H); states (B, H); W_hh (gates * H, H); outputs h (T, B, H). Gradients flow to all of them.

Sources: Werbos 1990, "Backpropagation through time: what it does and how to do it"; cs231n lecture 10. The equations of
the cells are those of `rnn.cells`, and torch's autograd and torch.nn are the judges (tests/unit/test_bptt.py).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


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


class RnnSequence(Function):
    """h_t = phi(a_t + W_hh h_{t-1}), with phi one of tanh, relu, sigmoid.

    Backward, with s_t = a_t + W_hh h_{t-1} and the slope phi'(s_t), which all three have as a function of h_t:

        dL/ds_t = (dL/dh_t) * phi'(s_t)
        dL/dh_{t-1} = (dL/dh_{t-1} from its own output) + W_hh^T dL/ds_t
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, h_0: Tensor, W_hh: Tensor, nonlinearity: str) -> Tensor:
        T, B, H = a.shape
        states = a.new_empty(T + 1, B, H)
        states[0] = h_0
        squash_ = {"tanh": Tensor.tanh_, "relu": Tensor.relu_, "sigmoid": Tensor.sigmoid_}[nonlinearity]
        h, *later = states.unbind()
        for a_t, h_t in zip(a.unbind(), later, strict=True):
            squash_(torch.addmm(a_t, h, W_hh.t(), out=h_t))
            h = h_t
        ctx.save_for_backward(states, W_hh)
        ctx.nonlinearity = nonlinearity
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        states, W_hh = ctx.saved_tensors
        h = states[1:]
        if ctx.nonlinearity == "tanh":
            slope = 1 - h * h
        elif ctx.nonlinearity == "sigmoid":
            slope = h * (1 - h)
        else:
            slope = (h > 0).to(h.dtype)
        ds = torch.empty_like(h)
        dh = d_outputs[-1].clone()
        d_own, ds_own, slopes = d_outputs.unbind(), ds.unbind(), slope.unbind()
        for t in range(len(h) - 1, -1, -1):
            torch.mul(dh, slopes[t], out=ds_own[t])
            if t > 0:
                torch.addmm(d_own[t - 1], ds_own[t], W_hh, out=dh)
        return ds, ds[0] @ W_hh, _outer(ds, states[:-1]), None


class GruSequence(Function):
    """u_t = W_hh h_{t-1};  r, z = sigmoid(a_t + u_t);  n = tanh(a_t + r * (u_t + b_hn));  h_t = n + z * (h_{t-1} - n)

    each gate with its own third of a_t and u_t. The biases of r and z stand in a_t; that of n is inside its bracket,
    q = u_n + b_hn. Backward, from dh = dL/dh_t, the gradients of the three sums are dh times

        n:  (1 - z) (1 - n^2)            r:  the same * q * r (1 - r)            z:  (h_{t-1} - n) z (1 - z)

    and n's gradient reaches q times r. To the step before flow z * dh and W_hh^T times the gradients of u.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, h_0: Tensor, W_hh: Tensor, b_hn: Tensor | None) -> Tensor:
        T, B, H = a.shape[0], *h_0.shape
        states, n = a.new_empty(T + 1, B, H), a.new_empty(T, B, H)
        states[0] = h_0
        gates = a.clone()  # r and z of each step, and q where n's part was
        gates[..., 2 * H :] = 0 if b_hn is None else b_hn
        r, z, q = gates.chunk(3, dim=-1)
        h, *later = states.unbind()
        steps = (part.unbind() for part in (gates, gates[..., : 2 * H], r, z, q, a[..., 2 * H :], n))
        for gates_t, rz_t, r_t, z_t, q_t, a_n, n_t, h_t in zip(*steps, later, strict=True):
            gates_t.addmm_(h, W_hh.t())
            rz_t.sigmoid_()
            torch.addcmul(a_n, r_t, q_t, out=n_t).tanh_()
            torch.lerp(n_t, h, z_t, out=h_t)
            h = h_t
        ctx.save_for_backward(states, gates, n, W_hh)
        ctx.has_bias = b_hn is not None
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        states, gates, n, W_hh = ctx.saved_tensors
        T, B, H = n.shape
        before = states[:-1]
        r, z, q = gates.chunk(3, dim=-1)
        to_n = (1 - z) * (1 - n * n)
        slope = n.new_empty(T, B, 3, H)
        torch.mul(to_n, q * r * (1 - r), out=slope[:, :, 0])
        torch.mul(before - n, z * (1 - z), out=slope[:, :, 1])
        torch.mul(to_n, r, out=slope[:, :, 2])
        du, dh = torch.empty_like(slope), torch.empty_like(n)
        dh[-1] = d_outputs[-1]
        du_rows = du.view(T, B, 3 * H)
        d_own, dh_own, dh_wide, du_own, rows = (
            part.unbind() for part in (d_outputs, dh, dh.unsqueeze(2), du, du_rows)
        )  # fmt: skip
        slopes, zs = slope.unbind(), z.unbind()
        for t in range(T - 1, -1, -1):
            torch.mul(dh_wide[t], slopes[t], out=du_own[t])
            if t > 0:
                torch.addcmul(d_own[t - 1], dh_own[t], zs[t], out=dh_own[t - 1]).addmm_(rows[t], W_hh)
        d_first = dh[0] * z[0] + du_rows[0] @ W_hh
        dW_hh = _outer(du_rows, before)
        db_hn = du[:, :, 2].sum(dim=(0, 1)) if ctx.has_bias else None
        da = du_rows  # r and z have the same gradient on both sides of their sum; n does not
        torch.mul(dh, to_n, out=du[:, :, 2])
        return da, d_first, dW_hh, db_hn


class LstmSequence(Function):
    """i, f, o = sigmoid(a_t + W_hh h_{t-1});  g = tanh(the same);  c_t = f * c_{t-1} + i * g;  h_t = o * tanh(c_t)

    each gate with its own quarter of the sum. Backward, the cell state has a path of its own:

        dL/dc_t = (dL/dh_t) * o * (1 - tanh(c_t)^2) + f_{t+1} * dL/dc_{t+1}

    and the gradients of the sums are dL/dh_t times tanh(c_t) o (1 - o) for o, and dL/dc_t times

        i:  g i (1 - i)            f:  c_{t-1} f (1 - f)            g:  i (1 - g^2)
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, h_0: Tensor, c_0: Tensor, W_hh: Tensor) -> tuple[Tensor, Tensor]:
        T, B, H = a.shape[0], *h_0.shape
        states, cells, squashed = a.new_empty(T + 1, B, H), a.new_empty(T + 1, B, H), a.new_empty(T, B, H)
        states[0], cells[0] = h_0, c_0
        gates = a.clone()
        i, f, g, o = gates.chunk(4, dim=-1)
        h, *later_h = states.unbind()
        c, *later_c = cells.unbind()
        steps = (part.unbind() for part in (gates, gates[..., : 2 * H], i, f, g, o, squashed))
        for gates_t, if_t, i_t, f_t, g_t, o_t, squashed_t, h_t, c_t in zip(*steps, later_h, later_c, strict=True):
            gates_t.addmm_(h, W_hh.t())
            if_t.sigmoid_()
            g_t.tanh_()
            o_t.sigmoid_()
            torch.mul(f_t, c, out=c_t).addcmul_(i_t, g_t)
            torch.mul(o_t, torch.tanh(c_t, out=squashed_t), out=h_t)
            h, c = h_t, c_t
        ctx.save_for_backward(states, cells, squashed, gates, W_hh)
        return states[1:], c.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor) -> tuple[Tensor | None, ...]:
        states, cells, squashed, gates, W_hh = ctx.saved_tensors
        T, B, H = squashed.shape
        i, f, g, o = gates.chunk(4, dim=-1)
        to_o, to_c = squashed * o * (1 - o), o * (1 - squashed * squashed)
        slope = gates.new_empty(T, B, 3, H)
        torch.mul(g, i * (1 - i), out=slope[:, :, 0])
        torch.mul(cells[:-1], f * (1 - f), out=slope[:, :, 1])
        torch.mul(i, 1 - g * g, out=slope[:, :, 2])
        da = gates.new_empty(T, B, 4, H)
        da_rows = da.view(T, B, 4 * H)
        dh, dc = d_outputs[-1].clone(), d_last.clone()
        dc_wide = dc.unsqueeze(1)
        d_own, da_ifg, da_o, rows = (part.unbind() for part in (d_outputs, da[:, :, :3], da[:, :, 3], da_rows))
        slopes, to_os, to_cs, fs = (part.unbind() for part in (slope, to_o, to_c, f))
        for t in range(T - 1, -1, -1):
            dc.addcmul_(dh, to_cs[t])
            torch.mul(dc_wide, slopes[t], out=da_ifg[t])
            torch.mul(dh, to_os[t], out=da_o[t])
            dc.mul_(fs[t])
            if t > 0:
                torch.addmm(d_own[t - 1], rows[t], W_hh, out=dh)
        return da_rows, da_rows[0] @ W_hh, dc, _outer(da_rows, states[:-1])


class Rows(Function):
    """table[indices]: a matrix times one-hot columns without the multiplications.

    Backward, the gradients of all places that read a row are added up, in float32 at least: a sum of hundreds of
    terms would lose most of bfloat16's eight digits.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, indices: Tensor) -> Tensor:
        ctx.save_for_backward(indices)
        ctx.shape, ctx.dtype = table.shape, table.dtype
        return table.index_select(0, indices.flatten()).view(*indices.shape, table.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_rows: Tensor) -> tuple[Tensor | None, ...]:
        (indices,) = ctx.saved_tensors
        wide = torch.promote_types(ctx.dtype, torch.float32)
        total = torch.zeros(ctx.shape, dtype=wide, device=d_rows.device)
        total.index_add_(0, indices.flatten(), d_rows.flatten(0, -2).to(wide))
        return total.to(ctx.dtype), None


def _outer(d: Tensor, h: Tensor) -> Tensor:
    """sum_t d_t^T h_t over all steps and sequences, in one product: (T, B, G), (T, B, H) -> (G, H)."""
    return d.flatten(0, 1).t() @ h.flatten(0, 1)
