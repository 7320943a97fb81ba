// The code stands behind the link's #, so that no server's log has it. It goes into the form, and out of the address.
const code = window.location.hash.slice(1);
if (code) {
    document.getElementById("id_code").value = code;
    history.replaceState(null, "", window.location.pathname);
}
