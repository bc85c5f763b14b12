// Keeps what is pressed while the page is still loading, for keyboard.js to handle when it listens.
(() => {
  const pressed = [];
  const keep = (event) => pressed.push(event);
  document.addEventListener("keydown", keep);
  window.takeEarlyKeys = () => {
    document.removeEventListener("keydown", keep);
    return pressed;
  };
})();
