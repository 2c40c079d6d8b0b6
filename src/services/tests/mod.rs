//! What is believed of services, and what is not.
