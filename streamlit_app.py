"""Home: what a recurrent network is, one at work, and the way into the five pages."""

import streamlit as st

from pages.parts import home, saving, service, shell, teacher

shell.page("Home")
st.markdown(
    "A recurrent network reads a text :blue[**character by character**]. It keeps what it has read in a list of "
    "numbers, its :orange[**hidden state**], and from that predicts the :green[**next character**]. The same three "
    "matrices do this at every step."
)
home.equations()
work = st.container()
home.ways_on()
teacher.part()
with work:  # last, because writing takes its time
    home.at_work()
saving.offer()
service.warm_up()
