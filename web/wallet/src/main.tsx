import { createRoot } from 'react-dom/client';

import { App } from './app.js';
import { applyTextSize } from './pages/settings.js';
import './style.css';
import { Words } from './text.js';
import { WithWallet } from './wallet.js';

applyTextSize();
const place = document.getElementById('wallet');
if (place !== null) {
  createRoot(place).render(
    <Words>
      <WithWallet>
        <App />
      </WithWallet>
    </Words>,
  );
}
