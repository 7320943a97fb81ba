// The token stands behind the link's #, so that no server's log has it. It goes into the form, and out of the address.
const token = window.location.hash.slice(1);
if (token) {
    document.getElementById("id_token").value = token;
    history.replaceState(null, "", window.location.pathname);
}
