"""Home: what an RNN is, and the way into the five pages."""

import streamlit as st

from pages.parts import shell

shell.page("Home")
st.write(
    "A recurrent network reads a sequence one element at a time and keeps what it has seen in a hidden state, which "
    "each new input updates. Here you train one on a text of your choice, let it write, and look at the numbers inside."
)
# Two lines of mathematics, and purposes as text of their own: on a phone neither formulas nor link labels wrap.
st.latex(r"h_t = \tanh(W_{hh}\,h_{t-1} + W_{xh}\,x_t)")
st.latex(r"y_t = W_{hy}\,h_t")
for p in shell.PAGES[1:]:
    st.page_link(p.path, label=f"**{p.title}**", icon=p.icon)
    st.caption(p.purpose)
